// Package session exchanges a signed request for temporary AWS credentials: the
// CreateSession call of IAM Roles Anywhere.
//
// A [Client] holds a checked [Config] and makes sessions; [Provider] makes it an
// aws.CredentialsProvider for any Go program that uses the AWS SDK. Wrap that in
// aws.NewCredentialsCache with an ExpiryWindow, as the example does, to renew before the
// credentials expire: by default it renews only after.
//
// A [Chain] goes on from there: it assumes one role after another with STS, each with the
// credentials of the one before, as other accounts ask for. STS is called by hand, with the
// signer of the SDK's core: the SDK's STS package adds 0.95 MB to a program and 0.28 ms to its
// start, even where nothing is chained, and this 0.18 MB and less than 0.1 ms.
//
// It promises:
//   - Nothing is sent before the three ARNs are well formed and fit each other.
//   - Every attempt is dated and signed anew; a wrong local clock is corrected once, from
//     the Date header of an answer that was verified. See [Clock].
//   - Only network errors, 5xx and throttling are tried again, all within one deadline. A
//     server whose certificate is not trusted is never asked twice.
//   - An answer is read up to a limit and believed only if it is what was asked for.
//   - The errors say which: [*ARNError] and [*ConfigError] before any call, [*APIError] for
//     a refusal, [*ResponseError] for an answer that is none, [*NetworkError] where there was
//     no answer, [*TimeoutError] for one that did not come in time.
//
// It does not read the user's AWS configuration files, AWS_PROFILE or any other variable,
// store or cache anything, or log; [Config].Trace is told what goes on, without secrets.
//
// A Client and a Provider are immutable and safe for concurrent use if Source, HTTPClient
// and Trace are. Concurrent calls make one session each.
//
// Sources: the chapters "CreateSession", "Signing process" and "Endpoints and quotas" of the
// IAM Roles Anywhere User Guide; "AssumeRole" in the STS API Reference; "Roles terms and
// concepts", role chaining, and "Pass session tags in AWS STS" in the IAM User Guide.
package session
