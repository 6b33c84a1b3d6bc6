"""Names of which each is given once."""


class Numbered:
    """Adds `-2`, `-3`... to names that were given before. renamed: to how many."""

    def __init__(self) -> None:
        self.renamed = 0
        self._given: set[str] = set()

    def name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._given:
            number += 1
            name = f"{wanted}-{number}"
        self.renamed += number > 1
        self._given.add(name)
        return name
