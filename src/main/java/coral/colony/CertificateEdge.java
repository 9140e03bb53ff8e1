package coral.colony;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.colony.v1.Certificate;
import coral.api.colony.v1.CertificateService;
import coral.api.colony.v1.GetAuthorityStatusRequest;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.api.colony.v1.GetCertificateStatusRequest;
import coral.api.colony.v1.GetCertificateStatusResponse;
import coral.api.colony.v1.ListCertificatesRequest;
import coral.api.colony.v1.ListCertificatesResponse;
import coral.api.colony.v1.RotateAuthorityRequest;
import coral.api.colony.v1.RotateAuthorityResponse;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.Caller;
import coral.storage.CertificateReadModel;
import coral.storage.StoreException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.regex.Pattern;

/** {@code CertificateService} for one call of one caller, whom the table has let pass. */
final class CertificateEdge implements CertificateService {
  private static final Pattern SERIAL = Pattern.compile("[0-9a-f]{1,40}");

  private final Caller caller;
  private final Revocation revocation;
  private final RootRotation rotation;
  private final CertificateReadModel issued;
  private final Executor blocking;
  private final InstantSource clock;

  /**
   * @param issued every certificate that was issued and is kept
   */
  CertificateEdge(
      Caller caller,
      Revocation revocation,
      RootRotation rotation,
      CertificateReadModel issued,
      Executor blocking,
      InstantSource clock) {
    this.caller = caller;
    this.revocation = revocation;
    this.rotation = rotation;
    this.issued = issued;
    this.blocking = blocking;
    this.clock = clock;
  }

  @Override
  public CompletionStage<AllowRebindResponse> allowRebind(AllowRebindRequest request) {
    return revocation
        .allowRebind(
            caller,
            Requests.agentId(request.getAgentId()),
            Revocation.rebindTtl(request.hasTtl(), request.getTtl()),
            request.getReason())
        .thenApply(
            allowed ->
                AllowRebindResponse.newBuilder()
                    .setExpiresAt(Protobuf.timestamp(allowed.until()))
                    .build());
  }

  @Override
  public CompletionStage<ListCertificatesResponse> listCertificates(
      ListCertificatesRequest request) {
    Optional<AgentId> agentId =
        request.getAgentId().isEmpty()
            ? Optional.empty()
            : Optional.of(Requests.agentId(request.getAgentId()));
    int size = Requests.pageSize(request.getPageSize());
    return read(() -> issued.page(agentId, request.getPageToken(), size))
        .thenApply(
            page -> {
              Instant now = clock.instant();
              return ListCertificatesResponse.newBuilder()
                  .addAllCertificates(page.rows().stream().map(row -> message(row, now)).toList())
                  .setNextPageToken(page.nextToken())
                  .build();
            });
  }

  @Override
  public CompletionStage<GetCertificateStatusResponse> getCertificateStatus(
      GetCertificateStatusRequest request) {
    String serial = request.getSerialNumber();
    if (!SERIAL.matcher(serial).matches()) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT, "a serial_number has up to 40 lower-case hexadecimal digits");
    }
    return read(() -> issued.find(serial))
        .thenApply(
            found -> {
              CertificateReadModel.Row row =
                  found.orElseThrow(
                      () ->
                          new RefusedException(
                              Failure.NOT_FOUND,
                              "this colony keeps no certificate of this number"));
              return GetCertificateStatusResponse.newBuilder()
                  .setCertificate(message(row, clock.instant()))
                  .setPem(ByteString.copyFromUtf8(row.certificatePem()))
                  .build();
            });
  }

  private static Certificate message(CertificateReadModel.Row row, Instant now) {
    Certificate.Builder certificate =
        Certificate.newBuilder()
            .setSerialNumber(row.serial())
            .setAgentId(row.agentId().value())
            .setRole(row.role())
            .setIssuedAt(Protobuf.timestamp(row.issuedAt()))
            .setExpiresAt(Protobuf.timestamp(row.expiresAt()))
            .setStatus(row.status(now))
            .setRevocationReason(row.reason())
            .setFingerprint(row.fingerprint())
            .setIssuer(row.issuer());
    row.endedAt().ifPresent(at -> certificate.setRevokedAt(Protobuf.timestamp(at)));
    return certificate.build();
  }

  private interface Query<T> {
    T run() throws StoreException;
  }

  private <T> CompletionStage<T> read(Query<T> query) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return query.run();
          } catch (StoreException e) {
            throw new RefusedException(Failure.STORE_UNAVAILABLE, String.valueOf(e.getMessage()));
          } catch (IllegalArgumentException e) {
            throw new RefusedException(Failure.INVALID_ARGUMENT, String.valueOf(e.getMessage()));
          }
        },
        blocking);
  }

  @Override
  public CompletionStage<GetAuthorityStatusResponse> getAuthorityStatus(
      GetAuthorityStatusRequest request) {
    return rotation.status(request.getWithRevocationLists());
  }

  @Override
  public CompletionStage<RotateAuthorityResponse> rotateAuthority(RotateAuthorityRequest request) {
    if (request.getStep() == RotateAuthorityRequest.Step.UNRECOGNIZED) {
      throw new RefusedException(Failure.INVALID_ARGUMENT, "a step is FORWARD or BACK");
    }
    return rotation
        .rotate(caller, request.getStep() == RotateAuthorityRequest.Step.BACK, request.getForce())
        .thenApply(status -> RotateAuthorityResponse.newBuilder().setStatus(status).build());
  }
}
