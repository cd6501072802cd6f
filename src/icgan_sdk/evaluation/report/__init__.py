"""What reports are made of: Markdown, plots and pictures."""
