"""What a model's answers are worth: figures, pictures and a report."""
