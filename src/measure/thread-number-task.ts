/** Of a pool's thread: what Linux calls it. */
import { threadNumber } from "../linux/real-time.js";

export default threadNumber;
