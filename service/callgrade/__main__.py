from callgrade.cli import main

main()
