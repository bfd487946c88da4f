"""An answer in public that asks the customer to go on in private, at the company's contact."""

PUBLIC_THEN_PRIVATE = "public, then private"


def leads_there(text: str, contact: str) -> bool:
    """Whether an answer shows the way to the private contact."""
    return bool(contact.strip()) and contact.strip() in text


def with_contact(text: str, contact: str) -> str:
    """The answer with the private contact below it, once."""
    if not contact.strip() or leads_there(text, contact):
        return text
    return f"{text.strip()}\n\n{contact.strip()}".strip()


def without_contact(text: str, contact: str) -> str:
    """The answer without the private contact."""
    return text.replace(contact.strip(), "").strip() if contact.strip() else text


def how(text: str, contact: str) -> str:
    """What the history says of an answer that leads to the private contact; '' of another."""
    return PUBLIC_THEN_PRIVATE if leads_there(text, contact) else ""
