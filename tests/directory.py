"""A real LDAP directory for the tests: slapd with a few people and groups."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import servers
from tests.servers import MissingComponentError, Server

BASE = "dc=example,dc=org"
ADMINISTRATOR = f"cn=admin,{BASE}"
SEARCHER, PASSWORD = f"cn=searcher,{BASE}", "correct horse"
_SCHEMA = Path("/etc/ldap/schema")
_MODULES = Path("/usr/lib/ldap")
_PEOPLE = {"ilse": "Ilse Hartog", "jan": "Jan Bos", "eva": "Eva Lind", "root": "Rita Root"}
_GROUPS = {"viewers": ["ilse"], "scientists": ["jan"], "administrators": ["eva"]}


@dataclass(frozen=True)
class Directory:
    """A directory that runs.

    Attributes:
        server: its process, which can be killed and started again.
        ca_file: the certificate that its own is signed with.
    """

    server: Server
    ca_file: Path

    def change(self, ldif: str) -> None:
        """Change entries, as its administrator."""
        command = ["ldapmodify", "-x", "-H", self.server.url, "-D", ADMINISTRATOR, "-w", PASSWORD]
        subprocess.run(command, input=ldif, text=True, check=True, capture_output=True)

    def leave(self, person: str, group: str) -> None:
        """Take a person out of a group."""
        self.change(f"dn: {group_dn(group)}\nchangetype: modify\ndelete: member\nmember: {person_dn(person)}\n")

    def join(self, person: str, group: str) -> None:
        """Put a person into a group."""
        self.change(f"dn: {group_dn(group)}\nchangetype: modify\nadd: member\nmember: {person_dn(person)}\n")


def person_dn(name: str) -> str:
    """The distinguished name of a person."""
    return f"uid={name},ou=people,{BASE}"


def group_dn(name: str) -> str:
    """The distinguished name of a group."""
    return f"cn={name},ou=groups,{BASE}"


@contextmanager
def slapd() -> Iterator[Directory]:
    """A directory in which everybody's password is `PASSWORD`.

    ilse is a viewer, jan a data scientist, eva an administrator, and root is in no group.
    """
    program = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin:/usr/libexec")
    if not program or not shutil.which("ldapmodify"):
        raise MissingComponentError("slapd is not installed: apt-get install slapd ldap-utils")
    with tempfile.TemporaryDirectory(prefix="atlas-slapd-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        _make_certificates(folder)
        (folder / "slapd.conf").write_text(_configuration(folder))
        (folder / "content.ldif").write_text(_content())
        # Ubuntu's AppArmor lets /usr/sbin/slapd read no folders but Debian's own; a copy may.
        program = shutil.copy(program, f"{folder}/slapd")
        _fill(program, folder)
        url = f"ldap://127.0.0.1:{servers.free_port()}"
        command = [program, "-f", f"{folder}/slapd.conf", "-h", url, "-d", "0"]
        server = Server(url=url, command=command, log=folder / "server.log", ready=lambda: _answers(url))
        try:
            server.start()
            server.wait_until_ready()
            yield Directory(server=server, ca_file=folder / "ca.pem")
        finally:
            server.stop()


def _configuration(folder: Path) -> str:
    schemas = "\n".join(f"include {_SCHEMA}/{name}.schema" for name in ("core", "cosine", "nis", "inetorgperson"))
    return f"""{schemas}
modulepath {_MODULES}
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 10485760
suffix "{BASE}"
rootdn "{ADMINISTRATOR}"
rootpw "{PASSWORD}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{SEARCHER}" read by self read by * none
"""


def _content() -> str:
    """The entries, as LDIF."""
    entries = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example",
        f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people",
        f"dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups",
        f"dn: {SEARCHER}\nobjectClass: person\ncn: searcher\nsn: searcher\nuserPassword: {PASSWORD}",
    ]
    for uid, full in _PEOPLE.items():
        first, last = full.split()
        entries.append(
            f"dn: {person_dn(uid)}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {full}\n"
            f"givenName: {first}\nsn: {last}\nmail: {uid}@example.org\nuserPassword: {PASSWORD}"
        )
    for group, members in _GROUPS.items():
        # A group needs a member: the searcher is in each, so that people can leave.
        listed = "".join(f"\nmember: {dn}" for dn in [SEARCHER, *map(person_dn, members)])
        entries.append(f"dn: {group_dn(group)}\nobjectClass: groupOfNames\ncn: {group}{listed}")
    return "\n\n".join(entries) + "\n"


def _fill(slapd: str, folder: Path) -> None:
    _run([slapd, "-T", "add", "-f", f"{folder}/slapd.conf", "-l", f"{folder}/content.ldif"])


def _make_certificates(folder: Path) -> None:
    """A certificate authority, and a certificate for 127.0.0.1 and localhost that it signed."""
    if not shutil.which("openssl"):
        raise MissingComponentError("openssl is not installed: apt-get install openssl")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    authority = ["-x509", "-days", "2", "-subj", "/CN=Test authority"]
    _run(["openssl", "req", *new_key, *authority, "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem"])
    own = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    signed = ["-x509", "-days", "2", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"]
    _run(["openssl", "req", *new_key, *own, *signed, "-keyout", f"{folder}/server.key", "-out", f"{folder}/server.pem"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def _answers(url: str) -> bool:
    asked = ["ldapsearch", "-x", "-H", url, "-b", "", "-s", "base", "-o", "nettimeout=1"]
    return subprocess.run(asked, capture_output=True, check=False).returncode in {0, 32, 50}
