"""The certificate authority of the simulated internet: it signs what ACM and CloudFront would have had signed.

Its certificates are valid by the wall's clock, which is the one that TLS libraries look at.
"""

from __future__ import annotations

import datetime
import os
import ssl
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=3650)
LONGEST_COMMON_NAME = 64
"""RFC 5280, ub-common-name."""


class Authority:
    """Thread-safe. Its certificate and key lie in a folder and are made when they are not there."""

    def __init__(self, folder: Path) -> None:
        self.bundle = folder / "ca.pem"
        """What a client has to trust."""
        self._folder = folder
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._lock = threading.Lock()
        secret = folder / "ca-key.pem"
        if self.bundle.exists() and secret.exists():
            key = serialization.load_pem_private_key(secret.read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            self._key, self._certificate = key, x509.load_pem_x509_certificate(self.bundle.read_bytes())
            return
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "drctl simulator")])
        self._certificate = (
            _certificate(name, name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        _write(secret, _pem(self._key))
        _write(self.bundle, self._certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        """A server's context that presents a certificate for exactly these names; the same one each time."""
        with self._lock:
            if names not in self._contexts:
                self._contexts[names] = self._made(names)
            return self._contexts[names]

    def _made(self, names: tuple[str, ...]) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        short = [name for name in names if len(name) <= LONGEST_COMMON_NAME][:1]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in short])
        leaf = (
            _certificate(subject, self._certificate.subject, key.public_key())
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory(dir=self._folder) as passing:  # ssl reads them from files only
            chain = Path(passing) / "leaf.pem"
            _write(chain, _pem(key) + leaf.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(chain)
        return context


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + VALID)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """For its owner only, whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)
