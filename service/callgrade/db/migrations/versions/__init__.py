"""One file a revision. A revision that has been released is never edited again: what comes later is the next one."""
