"""Who asks, what they may do, and the record of what was done.

`keys` and `principals` say who asks, `permissions` what they may do, `requests` and `rates` keep repeated and too many
requests off, `audit` records. SQL is in `repository` alone.
"""
