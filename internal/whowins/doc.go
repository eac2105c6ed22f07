// Package whowins tells which source of credentials each AWS tool would use in an environment with
// its files of profiles, whether that source is kedge, and what to change if it is not.
//
// It is a model: it opens no connection, runs no program, and asks no SDK. For the AWS CLI, boto3, the Go
// and the JavaScript SDK the model is compared in a test with what these do; the others are modelled from
// their sources, and their answers say so. What depends on the outcome of a request or a program is
// left out: where an SDK goes on to the next source after a failure, the answer is the first source that
// is configured.
//
// Secrets do not stay: of variables and settings that hold keys, tokens or arguments of a
// credential_process only the presence is kept (see redact).
//
// # Sources
//
//   - botocore (boto3, AWS CLI): botocore/credentials.py, create_credential_resolver; configprovider.py for
//     the variables; session.py for the profiles.
//   - Go: config/resolve_credentials.go, shared_config.go and env_config.go of aws-sdk-go-v2.
//   - JavaScript: @aws-sdk/credential-provider-node/defaultProvider.js,
//     @aws-sdk/credential-provider-ini/resolveProfileData.js.
//   - Java: DefaultCredentialsProvider.java, internal/ProfileCredentialsUtils.java.
//   - .NET: Credentials/DefaultAWSCredentialsIdentityResolver.cs (version 4),
//     CredentialManagement/Internal/CredentialProfileTypeDetector.cs.
//   - Rust: aws-config/src/default_provider/credentials.rs, profile/credentials/repr.rs.
//   - PHP: src/Credentials/CredentialProvider.php.
//   - Ruby: aws-sdk-core/credential_provider_chain.rb, shared_config.rb.
//
// Configuration in code comes before all of them; of it only the name of a profile is modelled.
//
// # Size
//
// Hosts link it. Sources are pointers, and what the rules call most is not inlined: with values and inlining
// the package adds 266 kB to kedge, without them 139 kB.
package whowins
