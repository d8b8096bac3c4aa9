"""Start the next revision from what `db/tables` says and the migrations do not: `python -m tests.db.revise "why"`.

Read and mend what it wrote. Alembic sees neither renamed columns nor data that has to move.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from callgrade.db import migrate
from callgrade.db.urls import database_url


def main(why: str) -> None:
    number = f"{len(list((migrate.SCRIPTS / 'versions').glob('r[0-9]*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.db'}"
        if number != "0001":
            migrate.upgrade(url)
        with migrate.changing(database_url(url)) as connection:
            config = migrate._config(connection, migrate.SCRIPTS)
            config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
            command.revision(config, why, autogenerate=True, rev_id=number)
    written = next((migrate.SCRIPTS / "versions").glob(f"r{number}_*.py"))
    written.write_text(
        "\n".join(line for line in written.read_text("utf-8").split("\n") if "# ### " not in line), "utf-8"
    )
    for step in (["format", "-q"], ["check", "--fix", "-q"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, str(written)], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
