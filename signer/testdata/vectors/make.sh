#!/bin/sh
# Makes the known answers in this folder with openssl, coreutils and hand-written canonical
# requests; no code of this project takes part. See README.md. Existing keys and
# certificates are kept, so that running it again changes only the random ECDSA signature.
set -eu
cd "$(dirname "$0")"

# Keys and certificates. The serials are chosen to differ in decimal and hexadecimal, one
# is below 2^63 and one takes all 20 bytes.
ext() { printf 'basicConstraints=critical,%s\nkeyUsage=critical,%s\nsubjectKeyIdentifier=hash\n' "$1" "$2"; }
issue() { # name subject issuer serial constraints usage
    ext "$5" "$6" >ext.tmp
    openssl req -new -key "$1.key.pem" -subj "$2" -out csr.tmp
    openssl x509 -req -in csr.tmp -CA "$3.pem" -CAkey "$3.key.pem" -set_serial "$4" -sha256 -days 36500 \
        -extfile ext.tmp -out "$1.pem"
    rm -f ext.tmp csr.tmp
}
ec() { openssl genpkey -algorithm EC -pkeyopt group:"$2" -out "$1.key.pem"; }
if [ ! -f rsa.pem ]; then
    ec root P-256
    openssl req -x509 -key root.key.pem -subj '/CN=Vector Root' -sha256 -days 36500 \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' -out root.pem
    ec inter1 P-256
    issue inter1 '/CN=Vector Intermediate 1' root 17 CA:TRUE keyCertSign
    ec inter2 P-384
    issue inter2 '/CN=Vector Intermediate 2' inter1 18 CA:TRUE keyCertSign
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key.pem
    issue rsa '/O=Vectors/CN=rsa.example' root 0x1f4a5c3b CA:FALSE digitalSignature
    ec ecdsa P-384
    issue ecdsa '/O=Vectors/CN=ecdsa.example' root 0x7fffffffffffffffffffffffffffffffffffffff CA:FALSE digitalSignature
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out chained.key.pem
    issue chained '/O=Vectors/CN=chained.example' inter2 0xabcdef CA:FALSE digitalSignature
fi

der() { openssl x509 -in "$1.pem" -outform DER | base64 -w0; }
sha() { sha256sum | cut -d' ' -f1; }
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# finish NAME ALGORITHM REGION SIGNED-HEADERS DECIMAL-SERIAL: hashes NAME.canonical, signs.
finish() {
    printf '%s\n20261101T120000Z\n20261101/%s/rolesanywhere/aws4_request\n%s' "$2" "$3" "$(sha <"$1.canonical")" >"$1.sts"
    sig=$(openssl dgst -sha256 -sign "$1.key.pem" "$1.sts" | od -An -v -tx1 | tr -d ' \n')
    printf '%s Credential=%s/20261101/%s/rolesanywhere/aws4_request, SignedHeaders=%s, Signature=%s' \
        "$2" "$5" "$3" "$4" "$sig" >"$1.authorization"
}

# 1. RSA, the ARNs in the query and a JSON body, as the official helper sends it. Colons and
# slashes of an ARN are %3A and %2F.
body='{"durationSeconds":3600}'
printf '%s' "POST
/sessions
profileArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A123456789012%3Aprofile%2F11111111-1111-1111-1111-111111111111&roleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbackup&trustAnchorArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A123456789012%3Atrust-anchor%2F22222222-2222-2222-2222-222222222222
content-type:application/json
host:rolesanywhere.eu-west-1.amazonaws.com
x-amz-date:20261101T120000Z
x-amz-x509:$(der rsa)

content-type;host;x-amz-date;x-amz-x509
$(printf '%s' "$body" | sha)" >rsa.canonical
finish rsa AWS4-X509-RSA-SHA256 eu-west-1 'content-type;host;x-amz-date;x-amz-x509' 524966971

# 2. EC P-384 (still SHA-256), no query, a body with the ARNs, a port in the host. The
# serial is 2^159-1: 730750818665451459101842416358141509827966271487.
body='{"profileArn":"arn:aws:rolesanywhere:us-east-1:123456789012:profile/p","roleArn":"arn:aws:iam::123456789012:role/r","trustAnchorArn":"arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/t"}'
printf '%s' "POST
/sessions

content-type:application/json
host:127.0.0.1:9911
x-amz-date:20261101T120000Z
x-amz-x509:$(der ecdsa)

content-type;host;x-amz-date;x-amz-x509
$(printf '%s' "$body" | sha)" >ecdsa.canonical
finish ecdsa AWS4-X509-ECDSA-SHA256 us-east-1 'content-type;host;x-amz-date;x-amz-x509' 730750818665451459101842416358141509827966271487

# 3. RSA with two intermediates, an empty body, and everything the canonical form has rules
# for: query parts out of order, repeated, empty, without "=", with a plus (a space), with
# lower-case and needless escapes, and beyond ASCII; header values with runs of spaces; two
# values of one header; a header that is not signed; an escaped space in the path.
printf '%s' "POST
/a%2520b/sessions
a=1&a=2&b=&c=&k%20%2B=%C3%BC%2Fx&sp=a%20b&tilde=~
host:rolesanywhere-fips.us-gov-west-1.amazonaws.com
x-amz-date:20261101T120000Z
x-amz-x509:$(der chained)
x-amz-x509-chain:$(der inter2),$(der inter1)
x-test:one two,three

host;x-amz-date;x-amz-x509;x-amz-x509-chain;x-test
$empty" >chained.canonical
finish chained AWS4-X509-RSA-SHA256 us-gov-west-1 'host;x-amz-date;x-amz-x509;x-amz-x509-chain;x-test' 11259375
