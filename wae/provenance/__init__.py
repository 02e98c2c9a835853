"""Where artifacts come from: receipts, which jobs are up to date, DVC's records, and questions about them."""
