# J3 with jq, which writes one file: three runs side by side.
jq -c 'select(.status == "closed")' rows.jsonl > closed.jsonl &
jq -c 'select(.price > 900)' rows.jsonl > dear.jsonl &
jq -c 'select(.quantity >= 8)' rows.jsonl > bulk.jsonl &
wait
