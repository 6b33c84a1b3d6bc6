"""J2 as a loop over lists, with csv.reader and csv.writer."""

import csv

with open("customers.csv", encoding="utf-8", newline="") as file:
    reader = csv.reader(file)
    next(reader)
    customers = {customer: (name, country) for customer, name, country in reader}
with (
    open("orders.csv", encoding="utf-8", newline="") as source,
    open("joined.csv", "w", encoding="utf-8", newline="") as target,
):
    reader, writer = csv.reader(source), csv.writer(target)
    writer.writerow([*next(reader), "name", "country"])
    for row in reader:
        found = customers.get(row[1])
        if found is not None:
            writer.writerow([*row, *found])
