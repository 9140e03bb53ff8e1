package coral.wireguard.embedded;

import coral.linux.TunDevice;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import coral.wireguard.DeviceEvent;
import coral.wireguard.DeviceSettings;
import coral.wireguard.Peer;
import coral.wireguard.PeerStatistics;
import coral.wireguard.WireGuardDevice;
import java.io.IOException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A WireGuard device in this process. It lives in the network namespace of the thread that opens
 * it.
 */
public final class EmbeddedDevice implements WireGuardDevice {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedDevice.class);
  private static final SecureRandom RANDOM = new SecureRandom();

  /** The thread on which listeners are called. */
  private static final String CONTROL = "control";

  /** The threads need microseconds to end; this is for a listener that hangs. */
  private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(2);

  private final DeviceSettings settings;
  private final DeviceClock clock;
  private final Drops drops = new Drops();
  private final ControlLoop control;
  private final PeerTable peers;
  private final UdpSocket socket;
  private final PacketEnd end;
  private final Receiver receiver;
  private final List<Consumer<DeviceEvent>> listeners = new CopyOnWriteArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile boolean assigned;
  private volatile boolean failed;

  private EmbeddedDevice(
      DeviceSettings settings, DeviceClock clock, UdpSocket socket, Optional<TunDevice> tun) {
    this.settings = settings;
    this.clock = clock;
    this.socket = socket;
    LocalIdentity local = new LocalIdentity(settings.keys());
    control = new ControlLoop(clock);
    peers = new PeerTable(local.publicKey(), clock, control, EmbeddedDevice::jitter);
    Transmitter transmitter = new Transmitter(peers, socket, control, clock, drops, settings.mtu());
    Workspace ofControl = new Workspace(new JcePacketCipher());
    end =
        tun.<PacketEnd>map(
                device ->
                    new TunEnd(
                        device,
                        settings.mtu(),
                        transmitter,
                        control,
                        drops,
                        new Workspace(new JcePacketCipher())))
            .orElseGet(() -> new UserSpaceEnd(transmitter, control, ofControl));
    Handshakes handshakes =
        new Handshakes(
            local, peers, transmitter, socket, control, clock, drops, ofControl, this::emit);
    control.onDue(handshakes::due);
    receiver =
        new Receiver(
            socket,
            peers,
            handshakes,
            transmitter,
            control,
            clock,
            drops,
            end,
            settings,
            new Workspace(new JcePacketCipher()));
  }

  /** Starts the threads of a device that is whole; what cannot be started is closed again. */
  private EmbeddedDevice started() {
    try {
      start(CONTROL, control::run);
      start("socket", receiver::run);
      start("tun", end::run);
      return this;
    } catch (RuntimeException | Error e) { // such as: the system gives no more threads
      close();
      throw e;
    }
  }

  /**
   * Opens a device whose tunnel ends where the mode says.
   *
   * @param clock for timestamps in handshakes and statistics; its timers run on monotonic time
   * @throws IOException as {@link #onTun} and {@link #inUserSpace}
   */
  public static EmbeddedDevice open(DeviceMode mode, DeviceSettings settings, InstantSource clock)
      throws IOException {
    return mode.resolved() == DeviceMode.TUN
        ? onTun(settings, clock)
        : inUserSpace(settings, clock);
  }

  /**
   * Opens a device whose tunnel ends in a TUN device: needs root or CAP_NET_ADMIN.
   *
   * @param clock for timestamps in handshakes and statistics; its timers run on monotonic time
   * @throws IOException if the interface cannot be made or the port is taken; the message says so
   */
  public static EmbeddedDevice onTun(DeviceSettings settings, InstantSource clock)
      throws IOException {
    return onTun(settings, new DeviceClock(clock, System::nanoTime));
  }

  static EmbeddedDevice onTun(DeviceSettings settings, DeviceClock clock) throws IOException {
    UdpSocket socket = UdpSocket.open(settings.listenPort());
    try {
      TunDevice tun = TunDevice.open(settings.interfaceName(), settings.mtu());
      try {
        return new EmbeddedDevice(settings, clock, socket, Optional.of(tun)).started();
      } catch (RuntimeException | Error e) {
        tun.close();
        throw e;
      }
    } catch (IOException | RuntimeException | Error e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Opens a device whose tunnel ends in this process: it answers ICMP echo requests and can send
   * them, and drops all else.
   *
   * @param clock for timestamps in handshakes and statistics; its timers run on monotonic time
   * @throws IOException if the port is taken
   */
  public static EmbeddedDevice inUserSpace(DeviceSettings settings, InstantSource clock)
      throws IOException {
    return inUserSpace(settings, new DeviceClock(clock, System::nanoTime));
  }

  static EmbeddedDevice inUserSpace(DeviceSettings settings, DeviceClock clock) throws IOException {
    UdpSocket socket = UdpSocket.open(settings.listenPort());
    try {
      return new EmbeddedDevice(settings, clock, socket, Optional.empty()).started();
    } catch (RuntimeException | Error e) {
      socket.close();
      throw e;
    }
  }

  @Override
  public String name() {
    return settings.interfaceName();
  }

  @Override
  public int listenPort() {
    return socket.port();
  }

  @Override
  public WireGuardKey publicKey() {
    return settings.keys().publicKey();
  }

  @Override
  public int mtu() {
    return settings.mtu();
  }

  @Override
  public synchronized void assign(MeshAddresses own, MeshSubnet subnet) throws IOException {
    if (closed.get()) {
      return;
    }
    receiver.assign(own);
    end.assign(own, subnet);
    assigned = true;
  }

  @Override
  public void apply(Set<Peer> desired) {
    peers.apply(desired);
  }

  @Override
  public void put(Peer peer) {
    peers.put(peer);
  }

  @Override
  public void remove(WireGuardKey peer) {
    peers.remove(peer);
  }

  @Override
  public void initiate(WireGuardKey peer) {
    PeerState state = peers.find(peer);
    if (state != null) {
      state.wantHandshake(clock.now());
      control.schedule(state);
    }
  }

  @Override
  public Optional<PeerStatistics> statistics(WireGuardKey peer) {
    return Optional.ofNullable(peers.find(peer)).map(PeerState::statistics);
  }

  @Override
  public List<PeerStatistics> statistics() {
    return peers.statistics();
  }

  @Override
  public Optional<Duration> echo(InetAddress target, Duration timeout) throws IOException {
    return end.echo(target, timeout);
  }

  @Override
  public void onEvent(Consumer<DeviceEvent> listener) {
    listeners.add(listener);
  }

  @Override
  public boolean isUp() {
    return assigned && !failed && !closed.get();
  }

  /**
   * Stops the threads, closes the socket, removes the interface and forgets all keys. When it
   * returns, the port and the name are free again, unless a listener calls it.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    control.close();
    end.close();
    try {
      socket.close();
    } catch (IOException e) {
      LOG.warn("{}: the socket could not be closed: {}", name(), e.getMessage());
    }
    peers.close();
    joinThreads();
  }

  /** The kernel keeps a closed socket as long as a thread is blocked in it. */
  private void joinThreads() {
    boolean interrupted = false;
    for (Thread thread : threads) {
      if (thread != Thread.currentThread()) {
        try {
          thread.join(CLOSE_DEADLINE.toMillis());
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return "EmbeddedDevice[" + name() + ", port " + listenPort() + "]";
  }

  /** What was dropped, for tests. */
  long dropped(Drops.Reason reason) {
    return drops.get(reason);
  }

  /** How many handshakes and sessions hold an index, for tests. */
  int indicesInUse() {
    return peers.indices().size();
  }

  /** Runs a task on the control thread as if it were a handshake message, for tests. */
  boolean offer(Runnable task) {
    return control.offerHandshake(task);
  }

  /** Looks at the clock again, for tests that move it. */
  void clockMoved() {
    control.wake();
  }

  /** The work of one thread. */
  private interface Work {
    void run() throws IOException;
  }

  private void start(String role, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (Throwable e) { // the edge of the thread: nobody else would hear of it
                fail(role, e);
              }
            },
            settings.interfaceName() + "-" + role);
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  private void fail(String role, Throwable cause) {
    if (!closed.get()) {
      failed = true;
      LOG.error("{}: the {} thread stopped", name(), role, cause);
      DeviceEvent failure =
          new DeviceEvent.DeviceFailed("the " + role + " thread stopped: " + cause);
      if (role.equals(CONTROL)) {
        emit(failure); // on the thread that announces, while it lasts
      } else if (!control.offer(() -> emit(failure))) {
        LOG.error("{}: its failure could not be announced", name());
      }
    }
  }

  private void emit(DeviceEvent event) {
    for (Consumer<DeviceEvent> listener : listeners) {
      try {
        listener.accept(event);
      } catch (RuntimeException e) {
        LOG.error("{}: a listener failed on {}", name(), event, e);
      }
    }
  }

  private static long jitter() {
    return RANDOM.nextLong(Constants.REKEY_TIMEOUT_JITTER);
  }
}
