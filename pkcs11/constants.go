package pkcs11

// Numbers of PKCS#11 v2.40, "Cryptographic Token Interface Base Specification", appendix B.
const (
	classCertificate = 1
	classPublicKey   = 2
	classPrivateKey  = 3

	certificateX509 = 0

	keyRSA = 0
	keyEC  = 3

	attrClass              = 0x000
	attrToken              = 0x001
	attrPrivate            = 0x002
	attrLabel              = 0x003
	attrValue              = 0x011
	attrCertificateType    = 0x080
	attrIssuer             = 0x081
	attrSerialNumber       = 0x082
	attrKeyType            = 0x100
	attrSubject            = 0x101
	attrID                 = 0x102
	attrSensitive          = 0x103
	attrSign               = 0x108
	attrVerify             = 0x10A
	attrModulus            = 0x120
	attrModulusBits        = 0x121
	attrPublicExponent     = 0x122
	attrPublicKeyInfo      = 0x129
	attrExtractable        = 0x162
	attrECParams           = 0x180
	attrECPoint            = 0x181
	attrAlwaysAuthenticate = 0x202

	mechRSAKeyPairGen = 0x0000
	mechRSAPKCS       = 0x0001
	mechRSAX509       = 0x0003
	mechRSAPSS        = 0x000D
	mechSHA256RSA     = 0x0040
	mechSHA384RSA     = 0x0041
	mechSHA512RSA     = 0x0042
	mechSHA256        = 0x0250
	mechSHA384        = 0x0260
	mechSHA512        = 0x0270
	mechECKeyPairGen  = 0x1040
	mechECDSA         = 0x1041
	mechECDSASHA256   = 0x1044
	mechECDSASHA384   = 0x1045
	mechECDSASHA512   = 0x1046

	mgfSHA256 = 2
	mgfSHA384 = 3
	mgfSHA512 = 4

	flagLoginRequired      = 1 << 2
	flagUserPINInitialized = 1 << 3
	flagProtectedPath      = 1 << 8
	flagTokenInitialized   = 1 << 10
	flagPINCountLow        = 1 << 16
	flagPINFinalTry        = 1 << 17
	flagPINLocked          = 1 << 18

	codeHostMemory           = 0x002
	codeSlotIDInvalid        = 0x003
	codeGeneralError         = 0x005
	codeFunctionFailed       = 0x006
	codeDeviceError          = 0x030
	codeDeviceMemory         = 0x031
	codeDeviceRemoved        = 0x032
	codeKeyHandleInvalid     = 0x060
	codeObjectHandleInvalid  = 0x082
	codePINIncorrect         = 0x0A0
	codePINInvalid           = 0x0A1
	codePINLenRange          = 0x0A2
	codePINExpired           = 0x0A3
	codePINLocked            = 0x0A4
	codeSessionClosed        = 0x0B0
	codeSessionHandleInvalid = 0x0B3
	codeTokenNotPresent      = 0x0E0
	codeTokenNotRecognized   = 0x0E1
	codeUserNotLoggedIn      = 0x101
	codeNotInitialized       = 0x190
)
