# J1 with Miller. Its sum starts as an integer; the fields are named as the others name them.
mlr --ijsonl --ojson filter '$status == "active"' \
  then put -q '@orders[$team] += 1; @amount[$team] += $price * $quantity;
    end { emit (@orders, @amount), "team" }' rows.jsonl > totals.json
