"""What a person posts: ``builder`` makes a form from questions, the others are written by hand."""
