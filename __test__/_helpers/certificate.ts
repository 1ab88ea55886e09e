// A certificate of its own for `localhost`, `name.test` and the loopback addresses, with its key. Made for these tests,
// valid for a hundred years, and not trusted by any system.

export const key: string = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpY03iSYWCNzbADlg
VUHJD/cvppFua0SCn0qiRE3Yje+hRANCAASKAw3ddMQJWn+EALI9VFPJEoJCySHr
caZTpI+kL6EkS1Xw0TuTRc8yPst+aC7hge1frydc/TMx43dZnfQPS1eo
-----END PRIVATE KEY-----
`;

export const cert: string = `-----BEGIN CERTIFICATE-----
MIIBgzCCASqgAwIBAgIBAjAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIoDDd10xAlaf4QA
sj1UU8kSgkLJIetxplOkj6QvoSRLVfDRO5NFzzI+y35oLuGB7V+vJ1z9MzHjd1md
9A9LV6ijazBpMDcGA1UdEQQwMC6CCWxvY2FsaG9zdIIJbmFtZS50ZXN0hwR/AAAB
hxAAAAAAAAAAAAAAAAAAAAABMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFFgE
sazlz6RiNU+tlmbGIowmUFvdMAoGCCqGSM49BAMCA0cAMEQCIC0fzX/eMjda4OwL
H1u8C3j3A90szX4ZWvpT44qwHYSXAiAvXHN9JdA/m93DIENUIGcLinbacJNgtL2n
2VaUMu2/gQ==
-----END CERTIFICATE-----
`;
