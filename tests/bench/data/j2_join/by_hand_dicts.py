"""J2 as a loop over records by name, with csv.DictReader and csv.DictWriter."""

import csv

with open("customers.csv", encoding="utf-8", newline="") as file:
    customers = {row["customer"]: row for row in csv.DictReader(file)}
with (
    open("orders.csv", encoding="utf-8", newline="") as source,
    open("joined.csv", "w", encoding="utf-8", newline="") as target,
):
    reader = csv.DictReader(source)
    assert reader.fieldnames is not None
    writer = csv.DictWriter(target, [*reader.fieldnames, "name", "country"])
    writer.writeheader()
    for row in reader:
        found = customers.get(row["customer"])
        if found is not None:
            writer.writerow({**row, **found})
