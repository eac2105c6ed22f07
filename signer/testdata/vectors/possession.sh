#!/bin/sh
# Makes possession-NAME.json: signatures that show possession, over a hand-written canonical request,
# with openssl and coreutils; for ML-DSA with the keys and certificates of RFC 9881 and the Python
# package cryptography (48, with OpenSSL 3.5 or later inside). No code of this project takes part.
set -eu
cd "$(dirname "$0")"
# SHA-256 of the SubjectPublicKeyInfo of root.pem.
audience=$(openssl x509 -in root.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
sha() { sha256sum | cut -d' ' -f1; }

# vector NAME CERTIFICATE KEY ALGORITHM PATH BODY
vector() {
    leaf=$(sed '/-----/d' "$2" | tr -d '\n')
    canonical=$(printf '%s' "POST
$5

host:$audience
x-amz-date:20261101T120000Z
x-amz-x509:$leaf

host;x-amz-date;x-amz-x509
$(printf '%s' "$6" | sha)" | sha)
    printf '%s\n20261101T120000Z\n20261101/ca/kedge-ca/aws4_request\n%s' "$4" "$canonical" >possession.tmp
    case $4 in
    AWS4-X509-MLDSA) python3 -c '
import sys
from cryptography.hazmat.primitives.serialization import load_pem_private_key
key = load_pem_private_key(open(sys.argv[1], "rb").read(), None)
sys.stdout.buffer.write(key.sign(open(sys.argv[2], "rb").read()))' "$3" possession.tmp >signature.tmp ;;
    *) openssl dgst -sha256 -sign "$3" -out signature.tmp possession.tmp ;;
    esac
    printf '{"certificate": "%s", "key": "%s", "path": "%s", "audience": "%s", "body": "%s",\n"signature": "%s"}\n' \
        "$2" "$3" "$5" "$audience" "$6" "$(base64 -w0 <signature.tmp)" >"possession-$1.json"
    rm -f possession.tmp signature.tmp
}
for size in 44 65 87; do
    pair=../keys/rfc9881/ml-dsa-$size
    vector mldsa$size $pair-cert.pem $pair-key-seed.pem AWS4-X509-MLDSA /v1/renew 'the request of the new key'
done
vector rsa rsa.pem rsa.key.pem AWS4-X509-RSA-SHA256 /v1/renew 'the request of the new key'
vector ecdsa ecdsa.pem ecdsa.key.pem AWS4-X509-ECDSA-SHA256 /v1/renew 'the request of the new key'
vector unenroll rsa.pem rsa.key.pem AWS4-X509-RSA-SHA256 /v1/unenroll ''
