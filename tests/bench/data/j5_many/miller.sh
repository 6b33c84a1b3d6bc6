# J5 with Miller, a process a file.
mkdir totals
for part in parts/*.jsonl; do
  name=${part#parts/}
  mlr --ijsonl --ojson filter '$status == "active"' \
    then put -q '@orders[$team] += 1; @amount[$team] += $price * $quantity;
      end { emit (@orders, @amount), "team" }' "$part" > "totals/${name%l}"
done
