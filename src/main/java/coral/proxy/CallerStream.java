package coral.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;

/**
 * The caller's side of one request, whichever version of HTTP it speaks. Used on the event loop
 * alone.
 */
interface CallerStream {
  /**
   * The head of the answer, with its status.
   *
   * @param end whether nothing follows
   */
  void head(Http2Headers head, boolean end);

  /**
   * Some of the answer's body; owns it from here.
   *
   * @param end whether nothing follows
   */
  void data(ByteBuf data, boolean end);

  /** The end of the answer. */
  void trailers(Http2Headers trailers);

  /** Sends what was given. */
  void flush();

  /** Whether more of the answer may be given, or the caller should read first. */
  boolean isWritable();

  /** Lets more of the request come. */
  void read();

  /** Ends the answer so that nobody takes it for whole. */
  void abort(Http2Error error);
}
