// A secure web server behind a ferronet server, asked by https and, by hand, through TLS over a ferronet socket.
const https = require('node:https');
const { connectTls, HttpsAgent, serve } = require('ferronet/http');

// Made for examples: everybody knows the key.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpY03iSYWCNzbADlg
VUHJD/cvppFua0SCn0qiRE3Yje+hRANCAASKAw3ddMQJWn+EALI9VFPJEoJCySHr
caZTpI+kL6EkS1Xw0TuTRc8yPst+aC7hge1frydc/TMx43dZnfQPS1eo
-----END PRIVATE KEY-----
`;
const cert = `-----BEGIN CERTIFICATE-----
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

const app = https.createServer({ key, cert }, (request, response) => {
  response.end(`you asked for ${request.url}\n`);
});

const server = serve(app).listen(8124, '127.0.0.1', () => {
  console.log('server bound');
  const options = { host: '127.0.0.1', port: 8124, ca: cert };
  https.get({ ...options, path: '/one', agent: new HttpsAgent() }, (response) => {
    response.on('end', () => askByHand(options)).pipe(process.stdout, { end: false });
  });
});

function askByHand(options) {
  const client = connectTls(options, () => {
    console.log(`trusted: ${client.authorized}`);
    client.write('GET /two HTTP/1.0\r\n\r\n');
  });
  client.setEncoding('utf8').on('data', (text) => {
    console.log(text.slice(text.indexOf('\r\n\r\n') + 4).trim());
  });
  client.on('close', () => server.close(() => console.log('server closed')));
}
