"""Frozen values with other fields, as every stage makes them by the hundred thousand.

    replace(workload, when=when)     a new one; the same one when that is its `when` already
    replace(call, args=tuple(map(change, call.args)))    the same one when no argument has changed

`dataclasses.replace` makes a new value also of no change, and takes twice the time: it looks at how
each field is declared, and goes through `__init__`. These values have nothing to do there.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # so that the fields' names and types are checked
    from dataclasses import replace as replace
else:
    from dataclasses import fields
    from functools import cache
    from operator import attrgetter, is_

    def replace(value, /, **changes):
        """The value with the fields that are given; the value itself if it has just these.

        Its class is a dataclass with slots and without `__post_init__`.
        """
        for name, new in changes.items():
            old = getattr(value, name)
            if old is not new and not _has_same(old, new):
                break
        else:
            return value
        of_class = type(value)
        values_of, set_each, set_one = _fields(of_class)
        changed = object.__new__(of_class)
        for set_field, old in zip(set_each, values_of(value), strict=True):
            set_field(changed, old)
        for name, new in changes.items():
            set_one[name](changed, new)
        return changed

    def _has_same(old, new):
        """Whether a tuple that was made anew has just the values, or pairs, of the one before."""
        if old is new:
            return True
        if type(old) is not tuple or type(new) is not tuple or len(old) != len(new):
            return False
        return all(map(is_, old, new)) or all(map(_has_same, old, new))

    @cache
    def _fields(of_class):
        """What gives the fields' values, what sets each of them, and that by their names."""
        assert not hasattr(of_class, "__post_init__"), f"{of_class.__name__} has a __post_init__"
        names = [one.name for one in fields(of_class)]
        set_one = {name: getattr(of_class, name).__set__ for name in names}
        values_of = attrgetter(*names)
        if len(names) == 1:
            return (lambda value: (values_of(value),)), tuple(set_one.values()), set_one
        return values_of, tuple(set_one.values()), set_one
