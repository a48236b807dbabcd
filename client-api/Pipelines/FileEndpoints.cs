using System.Buffers;
using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Pipelines;

/// <summary>Uploading files for pipelines, in one go or piece by piece by the tus protocol 1.0.0 (creation, HEAD, PATCH, termination, expiration; no OPTIONS, and the version that a client names is not looked at).</summary>
internal static class FileEndpoints
{
    public const string Pieces = "application/offset+octet-stream";

    private const string Tus = "1.0.0", Resumable = "Tus-Resumable", UploadOffset = "Upload-Offset", UploadLength = "Upload-Length", UploadMetadata = "Upload-Metadata", UploadExpires = "Upload-Expires";

    private static readonly LocalText s_file = new("Datei", "File");

    public static void MapFileEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/files").WithTags("Pipelines");
        group.AddEndpointFilter(async (context, next) =>
        {
            // In every answer, a refusal too.
            context.HttpContext.Response.Headers[Resumable] = Tus;
            return await next(context);
        });
        group.MapRead("", ListAsync).WithSummary("Lists an agency's uploaded files, newest first.")
            .Takes("agency", "Whose; absent: of the key's own agency.").Produces<FileListJson>().Paged();
        group.MapPost("", CreateAsync).WithSummary("Begins an upload, or takes a whole file as the body.")
            .WithDescription("By the tus protocol 1.0.0: Upload-Length says how many bytes will come, Upload-Metadata has filename and, if it is to be checked, sha256 (Base64). PATCH then appends, HEAD says how much is there. Without Upload-Length the body is the file itself; ?name= says what it is called.")
            .Takes("agency", "For which it is uploaded; absent: the key's own.").Takes("dataspace", "Whose roles reach it; absent: keys of the agency only.").Takes("name", "The file's name, where Upload-Metadata does not say it.")
            .Accepts<byte[]>("text/csv", PublicDescription.OtherNames).Produces<FileJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 413, 422, 503);
        group.MapRead("{file}", GetAsync).WithSummary("How far an upload has come; with its hash once it is complete. HEAD answers with Upload-Offset.").Produces<FileJson>().Refuses(404);
        group.MapPatch("{file}", AppendAsync).WithSummary("Appends a piece at Upload-Offset. What was answered is stored.")
            .Accepts<byte[]>(Pieces).Produces(StatusCodes.Status204NoContent).Refuses(400, 401, 403, 404, 409, 413, 415, 422, 503);
        group.MapDelete("{file}", DeleteAsync).WithSummary("Deletes a file. Runs that read it keep what they made of it.").Produces(StatusCodes.Status204NoContent).Refuses(401, 403, 404);
    }

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var caller = http.Caller();
        http.Response.Headers.CacheControl = "no-store";
        var agency = http.Request.Query["agency"].ToString() is { Length: > 0 } named ? named : caller.Agency;
        if (caller.IsPublic || agency is null || !CatalogIds.IsValid(agency)) return TypedResults.Ok(new FileListJson([], null));
        var ids = await grains.GetGrain<IUploadedFilesGrain>(agency).ListAsync(Caller.Hub, after, limit);
        var found = await Task.WhenAll(ids.Select(id => grains.GetGrain<IUploadedFileGrain>(id).GetAsync(caller)));
        // A page of which nothing may be seen tells no id.
        var next = ids.Length == limit && found.Any(file => file is not null) ? http.Next(ids[^1], limit) + "&agency=" + agency : null;
        return TypedResults.Ok(new FileListJson([.. found.OfType<UploadedFile>().Select(FileJson.Of)], next));
    }

    private static async Task<IResult> CreateAsync(HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        var caller = http.Caller();
        if (caller.IsPublic) return Authentication.Forbidden(http, new("Nötig ist ein Schlüssel oder eine Anmeldung.", "A key or a sign-in is needed."));
        if (Named(http, out var metadata) is { } bad) return bad;
        var agency = http.Request.Query["agency"].ToString() is { Length: > 0 } named ? named : caller.Agency;
        if (!CatalogIds.IsValid(agency)) return Requests.InvalidParameter(http, "agency", new("agency sagt, für welche Behörde die Datei ist.", "agency says for which agency the file is."));
        var announced = http.Request.Headers[UploadLength].ToString();
        var length = http.Request.ContentLength ?? 0;
        if (announced.Length > 0 && !long.TryParse(announced, NumberStyles.None, CultureInfo.InvariantCulture, out length))
            return Requests.InvalidParameter(http, UploadLength, new("Upload-Length ist eine Zahl von Byte.", "Upload-Length is a number of bytes."));
        if (announced.Length == 0 && http.Request.ContentLength is null)
            return Requests.InvalidParameter(http, "Content-Length", new("Content-Length oder Upload-Length muss sagen, wie viele Byte kommen.", "Content-Length or Upload-Length has to say how many bytes will come."));

        var id = ReceiptIds.New(time.GetUtcNow());
        var name = metadata.Name ?? (http.Request.Query["name"].ToString() is { Length: > 0 } asked ? asked : "upload.csv");
        var spec = new UploadSpec(agency!, name, length)
        {
            Dataspace = http.Request.Query["dataspace"].ToString() is { Length: > 0 } dataspace ? dataspace : null,
            Sha256 = metadata.Sha256,
        };
        var file = grains.GetGrain<IUploadedFileGrain>(id);
        var result = await file.CreateAsync(caller, spec);
        if (result.Refusal != CatalogRefusal.None) return Refused(http, result);
        if (announced.Length == 0 || http.Request.ContentType == Pieces)
        {
            var problem = await TakeAsync(http, file, caller, result.File!);
            if (problem.Problem is not null) return problem.Problem;
            result = result with { File = problem.File };
        }

        Tell(http, result.File!);
        return TypedResults.Created($"/api/v1/files/{id}", FileJson.Of(result.File!));
    }

    private static async Task<IResult> GetAsync(string file, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!ReceiptIds.IsValid(file) || await grains.GetGrain<IUploadedFileGrain>(file).GetAsync(http.Caller()) is not { } found) return Problems.NotFound(http, s_file, file);
        Tell(http, found);
        return TypedResults.Ok(FileJson.Of(found));
    }

    private static async Task<IResult> AppendAsync(string file, HttpContext http, IGrainFactory grains)
    {
        var caller = http.Caller();
        if (caller.IsPublic) return Authentication.Forbidden(http, new("Nötig ist ein Schlüssel oder eine Anmeldung.", "A key or a sign-in is needed."));
        var grain = ReceiptIds.IsValid(file) ? grains.GetGrain<IUploadedFileGrain>(file) : null;
        if (grain is null || await grain.GetAsync(caller) is not { } found) return Problems.NotFound(http, s_file, file);
        if (http.Request.ContentType != Pieces) return Problems.Problem(http, ProblemTypes.UnsupportedType, new($"Hier wird {Pieces} erwartet.", $"{Pieces} is expected here."));
        if (!long.TryParse(http.Request.Headers[UploadOffset].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return Requests.InvalidParameter(http, UploadOffset, new("Upload-Offset sagt, bei welchem Byte es weitergeht.", "Upload-Offset says at which byte it goes on."));
        var (problem, now) = await TakeAsync(http, grain, caller, found with { Offset = offset });
        if (problem is not null) return problem;
        Tell(http, now!);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> DeleteAsync(string file, HttpContext http, IGrainFactory grains)
    {
        var caller = http.Caller();
        if (caller.IsPublic) return Authentication.Forbidden(http, new("Nötig ist ein Schlüssel oder eine Anmeldung.", "A key or a sign-in is needed."));
        if (!ReceiptIds.IsValid(file)) return Problems.NotFound(http, s_file, file);
        var result = await grains.GetGrain<IUploadedFileGrain>(file).DeleteAsync(caller);
        http.Response.Headers[Resumable] = Tus;
        return result.Refusal == CatalogRefusal.None ? TypedResults.NoContent() : result.Refusal == CatalogRefusal.NotFound ? Problems.NotFound(http, s_file, file) : Refused(http, result);
    }

    /// <summary>Stores the body piece by piece; what was stored when it breaks off stays.</summary>
    private static async Task<(IResult? Problem, UploadedFile? File)> TakeAsync(HttpContext http, IUploadedFileGrain grain, Caller caller, UploadedFile file)
    {
        // The file's own limit holds, not that of bodies.
        if (http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        var piece = ArrayPool<byte>.Shared.Rent(UploadLimits.PieceBytes);
        try
        {
            for (var ended = false; !ended;)
            {
                var filled = 0;
                while (filled < UploadLimits.PieceBytes)
                {
                    int read;
                    try
                    {
                        read = await http.Request.Body.ReadAsync(piece.AsMemory(filled, UploadLimits.PieceBytes - filled), http.RequestAborted);
                    }
                    catch (Exception e) when (e is IOException or OperationCanceledException && e is not BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge })
                    {
                        // The connection is gone: what came is stored, the client goes on from there.
                        read = 0;
                    }

                    if (read == 0)
                    {
                        ended = true;
                        break;
                    }

                    filled += read;
                }

                if (filled == 0) break;
                var result = await grain.AppendAsync(caller, file.Offset, piece.AsMemory(0, filled).ToArray());
                if (result.Refusal != CatalogRefusal.None) return (Refused(http, result), null);
                file = result.File!;
            }

            return (null, file);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static void Tell(HttpContext http, UploadedFile file)
    {
        var headers = http.Response.Headers;
        headers[Resumable] = Tus;
        headers[UploadOffset] = file.Offset.ToString(CultureInfo.InvariantCulture);
        headers[UploadLength] = file.Spec.Length.ToString(CultureInfo.InvariantCulture);
        headers[UploadExpires] = file.Expires.ToString("R", CultureInfo.InvariantCulture);
    }

    private static IResult Refused(HttpContext http, UploadResult result)
    {
        if (result.File is { } file) Tell(http, file);
        return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidFile);
    }

    /// <summary>What tus' Upload-Metadata says: pairs of a name and a text in Base64, parted by commas.</summary>
    private static IResult? Named(HttpContext http, out (string? Name, byte[]? Sha256) metadata)
    {
        metadata = default;
        foreach (var pair in http.Request.Headers[UploadMetadata].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var parts = pair.Split(' ', 2);
            try
            {
                var value = parts.Length == 1 ? [] : Convert.FromBase64String(parts[1]);
                if (parts[0] is "filename" or "name") metadata.Name = Encoding.UTF8.GetString(value);
                if (parts[0] == "sha256") metadata.Sha256 = value.Length == 64 ? Convert.FromHexString(Encoding.ASCII.GetString(value)) : value;
            }
            catch (FormatException)
            {
                return Requests.InvalidParameter(http, UploadMetadata, new($"Upload-Metadata: „{parts[0]}“ ist nicht in Base64.", $"Upload-Metadata: “{parts[0]}” is not in Base64."));
            }
        }

        return null;
    }
}

/// <param name="Length">Bytes that were announced.</param>
/// <param name="Offset">Bytes that are stored.</param>
/// <param name="Sha256">Hexadecimal; null until it is complete.</param>
internal sealed record FileJson(string Id, string Name, string Agency, string? Dataspace, long Length, long Offset, bool Complete, string? Sha256, DateTimeOffset Created, DateTimeOffset Expires)
{
    public static FileJson Of(UploadedFile file) => new(
        file.Id, file.Spec.Name, file.Spec.Agency, file.Spec.Dataspace, file.Spec.Length, file.Offset, file.IsComplete, file.Sha256 is null ? null : Convert.ToHexStringLower(file.Sha256), file.Created, file.Expires);
}

internal sealed record FileListJson(FileJson[] Files, string? Next);
