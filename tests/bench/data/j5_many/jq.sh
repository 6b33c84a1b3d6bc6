# J5 with jq, a process a file.
mkdir totals
for part in parts/*.jsonl; do
  name=${part#parts/}
  jq -n 'reduce (inputs | select(.status == "active")) as $one ({};
      .[$one.team] |= {orders: (.orders + 1), amount: (.amount + $one.price * $one.quantity)})
    | to_entries | map({team: .key} + .value)' "$part" > "totals/${name%l}"
done
