"""J5 as a loop over the files: json.loads a line."""

import json
import os
from pathlib import Path

os.mkdir("totals")
for part in sorted(Path("parts").iterdir()):
    orders: dict[str, int] = {}
    amounts: dict[str, float] = {}
    with part.open(encoding="utf-8") as rows:
        for line in rows:
            record = json.loads(line)
            if record["status"] != "active":
                continue
            team = record["team"]
            orders[team] = orders.get(team, 0) + 1
            amounts[team] = amounts.get(team, 0) + record["price"] * record["quantity"]
    totals = [{"team": team, "orders": orders[team], "amount": amounts[team]} for team in orders]
    with open(f"totals/{part.stem}.json", "w", encoding="utf-8") as file:
        json.dump(totals, file)
