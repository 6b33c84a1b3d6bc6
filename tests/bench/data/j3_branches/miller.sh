# J3 with Miller, which writes several files in one pass.
mlr --ijsonl --ojsonl put -q '
  if ($status == "closed") { tee > "closed.jsonl", $* }
  if ($price > 900) { tee > "dear.jsonl", $* }
  if ($quantity >= 8) { tee > "bulk.jsonl", $* }' rows.jsonl
