# J2 with jq, which reads no CSV: lines are split at commas, those with quotes by a pattern.
jq -n -R -r --rawfile customers customers.csv '
  def fields:
    if contains("\"") then [scan("\"[^\"]*\"|[^,]+") | ltrimstr("\"") | rtrimstr("\"")] else split(",") end;
  ($customers | split("\n") | .[1:-1] | map(fields | {key: .[0], value: .[1:]}) | from_entries) as $known
  | (input | fields + ["name", "country"]), (inputs | fields | select($known[.[1]]) | . + $known[.[1]])
  | @csv' orders.csv > joined.csv
