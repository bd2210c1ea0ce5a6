"""Every error this project raises on purpose.

    InterestMigrationError
    |-- InputError            the user can repair it: exit code 2
    |   |-- ConfigError       a configuration, gate or mapping file
    |   |-- DataError         a log, table or model that was given
    |   |   `-- ModelFilesError   a folder that is no whole model
    |   `-- ContractError     a caller broke a documented precondition
    `-- RefusedError          a gate, or a bound on bad data, said no: exit code 3

Messages say what was expected, what was received and, when known, what to do.
"""


class InterestMigrationError(Exception):
    """Base of all errors raised on purpose."""


class InputError(InterestMigrationError):
    """Something the user gave cannot be used."""


class ConfigError(InputError):
    """A configuration, gate or mapping file is wrong."""


class DataError(InputError):
    """A log, table, example set or model is missing or unusable."""


class ModelFilesError(DataError):
    """A folder does not hold a whole model with the signatures that are needed."""


class ContractError(InputError):
    """A documented precondition does not hold."""


class RefusedError(InterestMigrationError):
    """A gate refused the model, or a bound of the owner refused the data."""
