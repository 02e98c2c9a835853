"""What artifacts were made from: receipts, what is up to date, what DVC has recorded, and questions about all of it."""
