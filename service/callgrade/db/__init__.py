"""Storage: tables, one session boundary, migrations. No rule of the business lives here."""
