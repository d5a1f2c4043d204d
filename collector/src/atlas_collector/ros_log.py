"""What the collector logs, shown as rospy shows it: in the terminal or journal, in the node's file, and on /rosout."""

import logging


def show() -> None:
    """Shows what all modules of the collector log, once the node is initialised."""
    log = logging.getLogger("atlas_collector")
    log.setLevel(logging.INFO)
    log.parent = logging.getLogger("rosout")
    logging.getLogger("httpx").setLevel(logging.WARNING)
