"""J1 as an interpreter of templates does it: Jinja2 renders the condition and the fields of each record.

The templates are compiled once, and values that are no text come back by json.loads, as such tools do.
"""

import json

import jinja2

environment = jinja2.Environment()
active = environment.from_string("{{ status == 'active' }}")
fields = {
    "team": environment.from_string("{{ team }}"),
    "amount": environment.from_string("{{ price * quantity }}"),
}
orders: dict[str, int] = {}
amounts: dict[str, float] = {}
with open("rows.jsonl", encoding="utf-8") as rows:
    for line in rows:
        record = json.loads(line)
        if active.render(record) != "True":
            continue
        made = {name: template.render(record) for name, template in fields.items()}
        team = made["team"]
        orders[team] = orders.get(team, 0) + 1
        amounts[team] = amounts.get(team, 0) + json.loads(made["amount"])
totals = [{"team": team, "orders": orders[team], "amount": amounts[team]} for team in orders]
with open("totals.json", "w", encoding="utf-8") as file:
    json.dump(totals, file)
