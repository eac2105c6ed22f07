// A PKCS#11 module for tests: another one, SHIM_MODULE, with the faults that the environment asks
// for. Tests build it with a C compiler and the headers of github.com/miekg/pkcs11.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pkcs11go.h"

static CK_FUNCTION_LIST ours;
static CK_FUNCTION_LIST_PTR real;
static long sign_calls, open_sessions;

static long number(const char *name) {
	const char *value = getenv(name);
	return value == NULL ? 0 : strtol(value, NULL, 0);
}

// SHIM_LOG: a file with a line for each call worth counting.
static void note(const char *what, unsigned long n) {
	const char *path = getenv("SHIM_LOG");
	FILE *f = path == NULL ? NULL : fopen(path, "a");
	if (f == NULL)
		return;
	fprintf(f, "%s %lu\n", what, n);
	fclose(f);
}

// SHIM_GONE: while this file exists, the token is not there, and its sessions are lost.
static int gone(void) {
	const char *path = getenv("SHIM_GONE");
	if (path == NULL || access(path, F_OK) != 0)
		return 0;
	CK_SLOT_ID slots[16];
	CK_ULONG n = 16;
	if (real->C_GetSlotList(CK_TRUE, slots, &n) == CKR_OK)
		for (CK_ULONG i = 0; i < n; i++)
			real->C_CloseAllSessions(slots[i]);
	return 1;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count) {
	if (gone()) {
		*count = 0;
		return CKR_OK;
	}
	return real->C_GetSlotList(present, list, count);
}

// SHIM_FLAGS: of the token, besides its own.
static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
	if (gone())
		return CKR_TOKEN_NOT_PRESENT;
	CK_RV rv = real->C_GetTokenInfo(slot, info);
	info->flags |= number("SHIM_FLAGS");
	return rv;
}

// SHIM_WITHOUT: a mechanism that the token does not tell of, and the one after it.
static CK_RV get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count) {
	CK_RV rv = real->C_GetMechanismList(slot, list, count);
	for (CK_ULONG i = 0; rv == CKR_OK && list != NULL && getenv("SHIM_WITHOUT") != NULL && i < *count; i++)
		if (list[i] == (CK_ULONG)number("SHIM_WITHOUT") || list[i] == (CK_ULONG)number("SHIM_WITHOUT_TOO"))
			list[i] = CKM_VENDOR_DEFINED;
	for (CK_ULONG i = 0; rv == CKR_OK && list != NULL && getenv("SHIM_HASHES") != NULL && i < *count; i++)
		if (list[i] == CKM_ECDSA)
			list[i] = CKM_ECDSA_SHA256;
	return rv;
}

// SHIM_SESSIONS: how many the token has.
static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR app, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR s) {
	if (gone())
		return CKR_TOKEN_NOT_PRESENT;
	long most = number("SHIM_SESSIONS");
	if (most > 0 && __sync_fetch_and_add(&open_sessions, 1) >= most) {
		__sync_fetch_and_sub(&open_sessions, 1);
		return CKR_SESSION_COUNT;
	}
	note("open", slot);
	return real->C_OpenSession(slot, flags, app, notify, s);
}

static CK_RV close_session(CK_SESSION_HANDLE s) {
	__sync_fetch_and_sub(&open_sessions, 1);
	return real->C_CloseSession(s);
}

// SHIM_PAD: the PIN that a person would type, where the caller gives none.
static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG len) {
	note(pin == NULL ? "pad" : "login", user);
	if (pin == NULL && getenv("SHIM_PAD") != NULL)
		return real->C_Login(s, user, (CK_UTF8CHAR_PTR)getenv("SHIM_PAD"), strlen(getenv("SHIM_PAD")));
	return real->C_Login(s, user, pin, len);
}

static CK_RV sign_init(CK_SESSION_HANDLE s, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
	if (gone())
		return CKR_DEVICE_REMOVED;
	if (getenv("SHIM_HASHES") != NULL) {
		CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
		return mechanism->mechanism == CKM_ECDSA_SHA256 ? real->C_SignInit(s, &ecdsa, key) : CKR_MECHANISM_INVALID;
	}
	return real->C_SignInit(s, mechanism, key);
}

// SHIM_HASHES: the token takes messages, not digests: of ECDSA it has CKM_ECDSA_SHA256 alone.
static CK_RV hash(CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG len, CK_BYTE_PTR digest, CK_ULONG_PTR size) {
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE other; // in its own session a signature is under way
	CK_RV rv = real->C_GetSessionInfo(s, &info);
	if (rv == CKR_OK)
		rv = real->C_OpenSession(info.slotID, CKF_SERIAL_SESSION, NULL, NULL, &other);
	if (rv != CKR_OK)
		return rv;
	rv = real->C_DigestInit(other, &sha256);
	if (rv == CKR_OK)
		rv = real->C_Digest(other, data, len, digest, size);
	real->C_CloseSession(other);
	return rv;
}

// SHIM_CRASH, SHIM_HANG: at which signature. SHIM_FLIP: the signature is wrong.
static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG len, CK_BYTE_PTR signature, CK_ULONG_PTR size) {
	if (signature == NULL) // only asks for the size
		return real->C_Sign(s, data, len, signature, size);
	long n = __sync_add_and_fetch(&sign_calls, 1);
	if (n == number("SHIM_CRASH"))
		*(volatile int *)8 = 1;
	while (n == number("SHIM_HANG"))
		pause();
	CK_BYTE digest[32];
	if (getenv("SHIM_HASHES") != NULL) {
		CK_ULONG digest_len = sizeof digest;
		CK_RV rv = hash(s, data, len, digest, &digest_len);
		if (rv != CKR_OK)
			return rv;
		data = digest;
		len = digest_len;
	}
	CK_RV rv = real->C_Sign(s, data, len, signature, size);
	if (getenv("SHIM_FLIP") != NULL && rv == CKR_OK)
		signature[0] ^= 1;
	return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
	void *library = dlopen(getenv("SHIM_MODULE"), RTLD_NOW);
	CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR) = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
	if (get == NULL || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	// SHIM_NOISE: on standard output, where some print what they do; and a look at the input.
	if (getenv("SHIM_NOISE") != NULL) {
		printf("initialising\n");
		fflush(stdout);
		char c;
		if (read(0, &c, 1) != 0)
			abort();
	}
	ours = *real;
	ours.C_GetSlotList = get_slot_list;
	ours.C_GetTokenInfo = get_token_info;
	ours.C_GetMechanismList = get_mechanism_list;
	ours.C_OpenSession = open_session;
	ours.C_CloseSession = close_session;
	ours.C_Login = login;
	ours.C_SignInit = sign_init;
	ours.C_Sign = sign;
	*list = &ours;
	return CKR_OK;
}
