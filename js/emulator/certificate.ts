import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";

/** A self-signed certificate and its key, as PEM text. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** The SHA-1 digest, in upper-case hexadecimal digits as Windows shows it. */
  readonly thumbprint: string;
}

/** Encodes a value in DER: its tag, length and content. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length: size } = body;
  // The shortest form: Deno and Bun refuse any other.
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const ECDSA_WITH_SHA256 = der(0x30, der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
const COMMON_NAME = der(0x06, Buffer.from("550403", "hex"));
const ALTERNATIVE_NAME = der(0x06, Buffer.from("551d11", "hex"));

/** Creates a certificate with a new key. `name` is its only name. */
export function selfSigned(name: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from(name)))));
  const time = (year: number) => der(0x17, Buffer.from(`${String(year).slice(2)}0101000000Z`));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    subject,
    der(0x30, time(2020), time(2049)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, der(0x30, ALTERNATIVE_NAME, der(0x04, der(0x30, der(0x82, Buffer.from(name))))))),
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  const certificate = new X509Certificate(der(0x30, body, ECDSA_WITH_SHA256, signature));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: certificate.toString(),
    thumbprint: certificate.fingerprint.replaceAll(":", ""),
  };
}
