# J2 with Miller: the file named by -f is held in memory, the other one flows through.
mlr --icsv --ocsv join -j customer -f customers.csv \
  then reorder -f customer,order orders.csv > joined.csv
