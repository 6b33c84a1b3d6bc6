# J1 with jq, one record at a time.
jq -n 'reduce (inputs | select(.status == "active")) as $one ({};
    .[$one.team] |= {orders: (.orders + 1), amount: (.amount + $one.price * $one.quantity)})
  | to_entries | map({team: .key} + .value)' rows.jsonl > totals.json
