#!/bin/sh
# Makes the CreateSession requests in the folder given, with openssl, sh and printf alone.
# Every value is put together here as the guide describes it; no code of kedge takes part.
#
#   make.sh FOLDER [YYYYMMDDTHHMMSSZ]
set -eu
cd "$1"
date=${2:-$(date -u +%Y%m%dT%H%M%SZ)}
day=${date%T*}
region=us-east-1
arn=arn:aws:rolesanywhere:$region:111122223333
body='{"durationSeconds":900,"roleSessionName":null}'
query="profileArn=$arn:profile/6b656467-6500-4000-9000-000000000001&roleArn=arn:aws:iam::111122223333:role/kedge&trustAnchorArn=$arn:trust-anchor/6b656467-6500-4000-8000-000000000001"
query=$(printf %s "$query" | sed 's/:/%3A/g; s,/,%2F,g')

sha256() { openssl dgst -sha256 -r | cut -d' ' -f1; }
base64der() { openssl x509 -in "$1" -outform DER | openssl base64 -A; }

# ca NAME ISSUER: a CA, self-signed where it is its own issuer.
ca() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$1.key" 2>/dev/null
	openssl req -new -key "$1.key" -subj "/CN=openssl $1" -out "$1.csr"
	printf 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n' > ca.ext
	if [ "$1" = "$2" ]; then
		openssl x509 -req -in "$1.csr" -signkey "$1.key" -days 36500 -sha384 -extfile ca.ext -out "$1.pem" 2>/dev/null
	else
		openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial 0x1234567890abcdef -days 36500 -sha256 -extfile ca.ext -out "$1.pem" 2>/dev/null
	fi
}

# leaf NAME ISSUER DIGEST GENPKEY-ARGUMENTS...
leaf() {
	name=$1 issuer=$2 digest=$3
	shift 3
	openssl genpkey "$@" -out "$name.key" 2>/dev/null
	openssl req -new -key "$name.key" -subj "/O=Example/CN=$name.example.com" -out "$name.csr"
	printf 'basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n' > leaf.ext
	openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -set_serial 0x0badc0ffee0ddf00d1234567890abcdef -days 36500 "-$digest" -extfile leaf.ext -out "$name.pem" 2>/dev/null
}

# request NAME ALGORITHM DIGEST [INTERMEDIATE]
request() {
	name=$1 algorithm=$2 digest=$3 chain=${4:-}
	leaf64=$(base64der "$name.pem")
	headers="content-type:application/json
host:rolesanywhere.$region.amazonaws.com
x-amz-date:$date
x-amz-x509:$leaf64
"
	signed='content-type;host;x-amz-date;x-amz-x509'
	if [ -n "$chain" ]; then
		headers="${headers}x-amz-x509-chain:$(base64der "$chain.pem")
"
		signed="$signed;x-amz-x509-chain"
	fi
	hash=$(printf %s "$body" | sha256)
	canonical=$(printf 'POST\n/sessions\n%s\n%s\n%s\n%s' "$query" "$headers" "$signed" "$hash")
	scope=$day/$region/rolesanywhere/aws4_request
	printf '%s\n%s\n%s\n%s' "$algorithm" "$date" "$scope" "$(printf %s "$canonical" | sha256)" > "$name.sts"
	signature=$(openssl dgst "-$digest" -sign "$name.key" -hex "$name.sts" | sed 's/.*= //')
	serial=$(openssl x509 -in "$name.pem" -noout -serial | cut -d= -f2 | decimal)
	{
		printf 'POST /sessions?%s HTTP/1.1\n' "$query"
		printf 'Host: rolesanywhere.%s.amazonaws.com\nContent-Type: application/json\nX-Amz-Date: %s\nX-Amz-X509: %s\n' "$region" "$date" "$leaf64"
		if [ -n "$chain" ]; then
			printf 'X-Amz-X509-Chain: %s\n' "$(base64der "$chain.pem")"
		fi
		printf 'Authorization: %s Credential=%s/%s, SignedHeaders=%s, Signature=%s\n' "$algorithm" "$serial" "$scope" "$signed" "$signature"
		printf 'Content-Length: %s\n\n%s' "${#body}" "$body"
	} > "$name.request"
}

# decimal turns a serial number in hexadecimal, which is too long for the shell, into decimal.
decimal() {
	awk '{
		n = 1; d[1] = 0
		for (i = 1; i <= length($0); i++) {
			c = index("0123456789ABCDEF", substr($0, i, 1)) - 1
			for (j = 1; j <= n; j++) { c += d[j] * 16; d[j] = c % 10; c = int(c / 10) }
			while (c) { d[++n] = c % 10; c = int(c / 10) }
		}
		for (j = n; j; j--) printf "%d", d[j]
	}'
}

ca root root
ca intermediate root
leaf rsa root sha256 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
leaf ecdsa intermediate sha384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
leaf sha1 root sha1 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
request rsa AWS4-X509-RSA-SHA256 sha256
request ecdsa AWS4-X509-ECDSA-SHA256 sha256 intermediate
request sha1 AWS4-X509-ECDSA-SHA256 sha256
rm -f ./*.key ./*.csr ./*.ext ./*.sts
