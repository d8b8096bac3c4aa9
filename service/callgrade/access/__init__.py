"""Who asks, what they may do, and the record of what was done.

`keys` lets programs in and `signing_in` people, whom `people` makes and changes; `agents` are those whose calls are
graded. `permissions` says what each may do and `rows` to which rows; `requests`, `rates` and `throttle` keep repeated
and too many attempts off; `audit` records. SQL is in the repositories and in `rows`.
"""
