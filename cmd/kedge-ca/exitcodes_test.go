package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
	"kedge/internal/awsadmin"
	"kedge/internal/awscrl"
	"kedge/internal/awsexplain"
	"kedge/internal/awskms"
	"kedge/internal/awsplan"
	"kedge/internal/awsup"
	"kedge/internal/cabackup"
	"kedge/internal/cadir"
	"kedge/internal/caserver"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/filelock"
	"kedge/internal/hostcert"
	"kedge/internal/localca"
	"kedge/internal/pemread"
	"kedge/internal/safefile"
	"kedge/internal/takeover"
	"kedge/internal/testenv"
	"kedge/pkcs11"
	"kedge/signer/keyfile"
	"kedge/tpm"
)

// exitCode is how the program ends when a command returns err.
func exitCode(err error) int {
	root := &cobra.Command{Use: name, RunE: func(*cobra.Command, []string) error { return err }}
	return cli.Main(context.Background(), cli.Program{Name: name, Root: root, Advise: advise}, []string{}, cli.Streams{Out: io.Discard, Err: io.Discard})
}

// exitCodes is the table of exit codes: which errors end with which. They are an interface: none of
// these may change. What is not told apart, and so ends with 1, is here as well.
func exitCodes() map[int][]error {
	return map[int][]error{
		cli.ExitFailed: slices.Concat([]error{
			errors.New("x"), context.Canceled, context.DeadlineExceeded, &fs.PathError{Op: "open", Path: "none", Err: fs.ErrNotExist}, fs.ErrExist, fs.ErrPermission, syscall.ENOSPC,
			&awskms.Error{Kind: awskms.Unreachable}, &awskms.Error{Kind: awskms.Slow},
			cli.ErrNoTerminal, keyfile.ErrWrongPassword, keyfile.ErrPasswordRequired, &config.FolderError{Flag: "out", Path: "p", Absent: true}, &safefile.UnsafeError{}, &safefile.LeftoverError{}, &filelock.HeldError{},
			&pemread.Error{Reason: pemread.Cut}, &takeover.Error{Why: "x", Err: fs.ErrNotExist},
			&cadir.AccessError{}, &cadir.UnknownProfileError{}, &cadir.UnknownRoleError{}, &cadir.GoneProfileError{Err: &cadir.UnknownProfileError{}},
			&caserver.NoURLError{}, &caserver.ListenError{Err: syscall.EADDRINUSE}, &caserver.ListenError{Err: fs.ErrPermission}, &caserver.ListenError{Err: errors.New("x")},
			&localca.LackingError{}, &localca.OtherCAError{}, &localca.UnlistedError{Err: errors.New("x")}, &localca.InterruptedError{}, &localca.OccupiedError{Err: fs.ErrExist}, &localca.NoServerError{}, &localca.NoProofError{}, &localca.SomeTokensError{Err: errors.New("x")}, &localca.ServerFileError{}, &localca.OfflineParentError{Err: errors.New("x")}, &localca.UnwrittenError{Err: errors.New("x")},
			&cabackup.FileError{Kind: cabackup.Foreign}, &cabackup.FileError{Kind: cabackup.Damaged}, &cabackup.KeyError{},
			&hostcert.ListError{Err: errors.New("x")}, &hostcert.ListError{Err: fs.ErrExist}, &hostcert.NotRenewedError{}, &hostcert.PartError{}, hostcert.ErrInterrupted, &hostcert.NamelessError{},
			awsadmin.ErrNoAnchor, awsadmin.ErrNoHosts, &awsadmin.PatternError{}, &awsadmin.ValueError{Err: errors.New("x")}, &awsadmin.LengthError{}, &awsadmin.LintError{}, &awsadmin.MalformedError{Err: errors.New("x")}, awsadmin.ErrNoProfile, &awsadmin.PermissionsError{Err: errors.New("x")}, errNoRoles, errNotBuilt, errNothingKnown, awsexplain.ErrNoReport, &awsexplain.SchemaError{}, &awsexplain.CauseError{}, &localca.SeveralRolesError{},
			&awsplan.ConflictError{}, &awsplan.MoreError{}, &awsplan.DisabledError{}, &awsplan.LossError{}, &awsplan.NoPolicyError{}, &awsup.LostError{Err: errors.New("x")}, &awsup.UnfinishedError{}, &awsup.ChangedError{}, &awsup.AnswerError{}, &awsup.ProbeError{Err: errors.New("x")}, &localca.NoProbeError{},
			&damagedError{}, &lintedError{}, &needsError{}, &pkcs12Error{errors.New("x")}, &unknownAnchorError{}, errDeclined, &severalPlacesError{},
			&awsaccount.Error{Kind: awsaccount.Configuration}, &awsaccount.Error{Kind: awsaccount.NoCredentials},
			&awscrl.NoListError{}, &awscrl.SizeError{}, &awscrl.BehindError{Err: &issuance.ForgottenError{}}, &awscrl.ForeignError{}, &awscrl.UntaggedError{}, &awscrl.FullError{}, &awscrl.OlderError{}, &awscrl.ReadBackError{}, &awscrl.DisabledError{}, &awscrl.AnswerError{}, &awscrl.UnknownOutcomeError{Err: errors.New("x")},
			&localca.NoAnchorError{}, &localca.WrongAccountError{}, &cadir.SharedRoleError{}, &localca.StaleListError{}, &localca.NotPushedError{Errs: []error{errors.New("x")}},
		}, ofCA(), ofIssuance(), ofLedger(), ofAccount(awsaccount.Throttled, awsaccount.Unavailable, awsaccount.Slow, awsaccount.Unreachable)),
		cli.ExitRefused: ofAccount(awsaccount.NoCredentials, awsaccount.Expired, awsaccount.Skew, awsaccount.Denied, awsaccount.NotFound, awsaccount.Exists, awsaccount.InUse, awsaccount.Limit, awsaccount.Refused),
		cli.ExitUsage: {
			&cli.UsageError{Err: errors.New("x")}, &config.FlagError{Flag: "dir", Err: errors.New("x")}, &config.FlagError{Flag: "key-password-from", Err: config.ErrHardware},
			&cli.UnconfirmedError{Question: "revoke it?", Err: cli.ErrNoTerminal}, &cadir.NewPlaceError{},
		},
		cli.ExitKey: slices.Concat([]error{
			&cadir.UnusableError{Err: errors.New("x")}, &cadir.UnusableError{Err: fs.ErrNotExist, Absent: true}, &cadir.UnusableError{Err: fs.ErrNotExist, NoKey: true},
			&cadir.UnusableError{Err: keyfile.ErrWrongPassword}, &cadir.UnusableError{Err: cli.ErrNoTerminal}, &cadir.UnusableError{Err: config.ErrPasswordEmpty}, &cadir.UnusableError{Err: config.ErrPasswordsDiffer},
			&localca.AdoptError{Err: errors.New("x")}, &ca.ValidityError{}, issuance.ErrNoKeys, &issuance.UnusableError{Err: &ca.ValidityError{}},
		}, ofHardware()),
		cli.ExitInterrupted: {cli.ErrInterrupted, &cadir.UnusableError{Err: cli.ErrInterrupted}},
	}
}

func ofAccount(kinds ...awsaccount.Kind) (all []error) {
	for _, kind := range kinds {
		all = append(all, &awsaccount.Error{Kind: kind, Operation: "iam:CreateRole"})
	}
	return all
}

func ofCA() []error {
	return []error{
		&ca.CRLSignError{}, ca.ErrPKCS12, ca.ErrSpent, &ca.LintError{}, &ca.NameError{}, &ca.OtherKindError{}, &ca.PathLengthError{}, &ca.ProfileError{}, &ca.SANError{}, &ca.SubjectError{}, &ca.UnreadableError{},
	}
}

func ofIssuance() []error {
	return []error{
		&issuance.AmbiguousError{}, &issuance.AnchorSizeError{}, issuance.ErrNoAuthority, &issuance.ForgottenError{}, &issuance.KnownRootError{}, &issuance.NoBaseError{}, &issuance.NoKeyError{},
		&issuance.NoMatchError{}, &issuance.NotRootError{}, &issuance.OccupiedError{}, &issuance.OddListError{}, &issuance.RootRevocationError{}, &issuance.RotationError{}, &issuance.TakenError{}, &issuance.UncomparedError{},
		&issuance.UnknownAuthorityError{}, &issuance.UnknownRootError{}, &issuance.UnusableError{Err: errors.New("x")}, &issuance.RetiredError{}, &issuance.RevokedAuthorityError{},
	}
}

func ofLedger() []error {
	return []error{
		&ledger.AccessError{}, &ledger.UnmovedError{}, &ledger.AnsweredError{}, &ledger.BrokenError{}, &ledger.BusyError{}, &ledger.ChangedError{}, &ledger.ClockError{}, &ledger.CloneError{}, &ledger.DamagedError{Report: ledger.Report{Faults: []ledger.Fault{{}}}}, &ledger.DuplicateError{}, &ledger.EndedError{},
		ledger.ErrClosed, &ledger.ForeignError{}, &ledger.MissingError{}, &ledger.NewerSchemaError{}, &ledger.NotEmptyError{}, &ledger.NotFoundError{}, &ledger.NotHeldError{}, &ledger.OlderSchemaError{},
		&ledger.RefusedError{}, &ledger.RetiredError{}, &ledger.RevokedError{}, &ledger.RevokedIssuerError{}, &ledger.RevokedKeyError{}, &ledger.UnknownIssuerError{}, &ledger.UnreachableError{Err: errors.New("x")},
		&ledger.TokenError{}, &ledger.HeldError{}, &ledger.DeniedError{}, &ledger.GraceError{}, &ledger.ReservedNameError{}, &ledger.FreeError{}, &ledger.NotClonedError{}, &ledger.ChoiceError{},
		&ledger.RequestIDError{}, &ledger.TooManyRequestsError{}, &ledger.ArchivingError{}, &ledger.ArchiveError{}, &ledger.SegmentError{Err: fs.ErrNotExist}, &ledger.SegmentError{Err: errors.New("x")}, &ledger.SegmentError{Unused: true},
	}
}

func ofHardware() []error {
	return []error{
		&pkcs11.MissingHelperError{}, &pkcs11.NoModuleError{}, &pkcs11.HelperError{}, &pkcs11.NotFoundError{}, &pkcs11.AmbiguousError{}, &pkcs11.PINError{}, pkcs11.ErrPINRequired, pkcs11.ErrCannotSign, pkcs11.ErrNoPublicKey,
		&awskms.Error{}, &awskms.TakenError{}, &awskms.UnnamedError{Err: errors.New("x")}, &awskms.UnknownError{Err: errors.New("x")},
		&tpm.UnfitError{}, &tpm.AuthError{}, tpm.ErrNoDevice, tpm.ErrAuthRequired, tpm.ErrForeignKey, tpm.ErrBusy, tpm.ErrNoHandle,
	}
}

// TestExitCodes: each kind of error ends with its code, whatever is around it. docs/reference.md and the help
// name the codes there are.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	documented, helped := testenv.ExitCodes(t, ""), testenv.ExitCodes(t, newRoot(newHost(cli.Streams{}), nil).Long)
	for code, errs := range exitCodes() {
		for _, err := range errs {
			for _, err := range []error{err, fmt.Errorf("around: %w", err)} {
				if got := exitCode(err); got != code {
					t.Errorf("%T (%v): exit %d, want %d", err, err, got, code)
				}
			}
		}
	}
	codes := exitCodes()
	for code := range 256 {
		used := code == cli.ExitDone || codes[code] != nil
		others := strings.Contains(documented[code], "(`kedge` only)")
		if used != (helped[code] != "") || used != (documented[code] != "" && !others) {
			t.Errorf("exit code %d: used: %v, docs/reference.md has %q, the help %q", code, used, documented[code], helped[code])
		}
	}
}

// TestExitCodes_complete: no error of the CA is without a code in the table.
func TestExitCodes_complete(t *testing.T) {
	t.Parallel()
	var known []string
	sentinels := map[error]string{
		ca.ErrPKCS12: "ca.ErrPKCS12", ca.ErrSpent: "ca.ErrSpent", hostcert.ErrInterrupted: "hostcert.ErrInterrupted", issuance.ErrNoAuthority: "issuance.ErrNoAuthority",
		issuance.ErrNoKeys: "issuance.ErrNoKeys", ledger.ErrClosed: "ledger.ErrClosed", errDeclined: "main.errDeclined", errNoRoles: "main.errNoRoles", errNotBuilt: "main.errNotBuilt", errNothingKnown: "main.errNothingKnown",
	}
	for _, errs := range exitCodes() {
		for _, err := range errs {
			known = append(known, testenv.KindsIn(err)...)
			if typ := testenv.KindsIn(err)[0]; typ == "errors.errorString" {
				known = append(known, sentinels[err])
			}
		}
	}
	elsewhere := map[string]string{"ca.Error": "a severity"}
	for _, kind := range testenv.ErrorKinds(t, "cmd/kedge-ca", "ca", "ca/issuance", "ca/ledger", "internal/awsaccount", "internal/awscrl", "internal/awskms", "internal/awsplan", "internal/awsup", "internal/cadir", "internal/certinfo", "internal/hostcert", "internal/hostfiles",
		"internal/hostlist", "internal/localca", "internal/report", "internal/takeover", "internal/pemread") {
		if !slices.Contains(known, kind) && elsewhere[kind] == "" {
			t.Errorf("%s is in no row", kind)
		}
	}
}
