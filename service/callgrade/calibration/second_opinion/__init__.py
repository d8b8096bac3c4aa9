"""A second opinion without a model, by criterion: character n-grams and a line between them.

material    which calls it learns from and is checked by
features    words as numbers
fitting     the line, and probabilities that mean what they say
checking    how it does on calls that it was not trained on
stored      the trained file: named, digested, without code
repository  the files in the database, and what they said
training    all of it for a rubric
standing    what stands, opened and held against a holdout
asking      what it says of proposals, and whom it calls
"""
