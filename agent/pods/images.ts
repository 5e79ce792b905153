export { type EnsuredImage, Images, imageIdOf } from "../images/images.ts";
export { fullName, taggedName as canonicalName } from "../images/reference.ts";
