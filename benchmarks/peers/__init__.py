"""Other people's trainings, written anew from their published recipes, each with its source."""
