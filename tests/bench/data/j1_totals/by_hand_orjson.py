"""J1 as a loop: orjson.loads a line."""

import json

import orjson

orders: dict[str, int] = {}
amounts: dict[str, float] = {}
with open("rows.jsonl", "rb") as rows:
    for line in rows:
        record = orjson.loads(line)
        if record["status"] != "active":
            continue
        team = record["team"]
        orders[team] = orders.get(team, 0) + 1
        amounts[team] = amounts.get(team, 0) + record["price"] * record["quantity"]
totals = [{"team": team, "orders": orders[team], "amount": amounts[team]} for team in orders]
with open("totals.json", "w", encoding="utf-8") as file:
    json.dump(totals, file)
