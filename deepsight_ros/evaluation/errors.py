"""Errors of the evaluation ring; each message names what is missing and the remedy."""


class DatasetError(LookupError):
    """A data set's folder lacks something, or nothing says where the ground is."""


class BagError(LookupError):
    """A bag cannot be read, or does not hold what replay needs."""


class MessageError(BagError):
    """One message of a bag is damaged; the others can be read."""
