"""Tink as a second implementation of what `crypto:encrypt` writes: run by the Python that has it.

    python with_tink.py < requests.json > answers.json

A request is [what, operation, key, aad, data]: what is `file` or `pair`, the bytes are hexadecimal.
An answer is hexadecimal as well.
"""

import io
import json
import sys
from typing import Any

from tink import cleartext_keyset_handle, hybrid, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, hpke_pb2, tink_pb2

SEGMENT = 1024 * 1024
PREFIX = "type.googleapis.com/google.crypto.tink."


def handle(kind: str, material: Any, key: Any) -> Any:
    """A set of this one key, whose ciphertexts have no mark of the set."""
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW)
    entry.key_data.type_url = PREFIX + kind
    entry.key_data.value = key.SerializeToString()
    entry.key_data.key_material_type = material
    return cleartext_keyset_handle.from_keyset(keyset)


def streaming(key: bytes) -> Any:
    """AES128_GCM_HKDF_1MB or AES256_GCM_HKDF_1MB, by the key's size."""
    parameters = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=SEGMENT, derived_key_size=len(key), hkdf_hash_type=common_pb2.SHA256
    )
    made = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(params=parameters, key_value=key)
    found = handle("AesGcmHkdfStreamingKey", tink_pb2.KeyData.SYMMETRIC, made)
    return found.primitive(streaming_aead.StreamingAead)


def file(operation: str, key: bytes, aad: bytes, data: bytes) -> bytes:
    primitive, stream = streaming(key), io.BytesIO(data)
    if operation == "decrypt":
        with primitive.new_decrypting_stream(stream, aad) as reader:
            return reader.read()
    with primitive.new_encrypting_stream(stream := io.BytesIO(), aad) as writer:
        stream.close = lambda: None
        writer.write(data)
    return stream.getvalue()


def pair(operation: str, key: bytes, aad: bytes, data: bytes) -> bytes:
    """key: the public key, and to decrypt the private key before it, 32 bytes each."""
    parameters = hpke_pb2.HpkeParams(
        kem=hpke_pb2.DHKEM_X25519_HKDF_SHA256, kdf=hpke_pb2.HKDF_SHA256, aead=hpke_pb2.AES_256_GCM
    )
    public = hpke_pb2.HpkePublicKey(params=parameters, public_key=key[-32:])
    if operation == "encrypt":
        found = handle("HpkePublicKey", tink_pb2.KeyData.ASYMMETRIC_PUBLIC, public)
        return found.primitive(hybrid.HybridEncrypt).encrypt(data, aad)
    private = hpke_pb2.HpkePrivateKey(public_key=public, private_key=key[:32])
    found = handle("HpkePrivateKey", tink_pb2.KeyData.ASYMMETRIC_PRIVATE, private)
    return found.primitive(hybrid.HybridDecrypt).decrypt(data, aad)


def main() -> None:
    streaming_aead.register()
    hybrid.register()
    answers = []
    for what, operation, *arguments in json.load(sys.stdin):
        work = {"file": file, "pair": pair}[what]
        answers.append(work(operation, *map(bytes.fromhex, arguments)).hex())
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
