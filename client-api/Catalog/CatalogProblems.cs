using Microsoft.AspNetCore.Http;

namespace DataHub.Catalog;

/// <summary>The total mapping from refusals of the catalogue to problems.</summary>
internal static class CatalogProblems
{
    private static readonly LocalText s_none = new("Ohne nähere Angabe.", "No detail.");

    /// <param name="http">The request.</param>
    /// <param name="refusal">Not <see cref="CatalogRefusal.None"/>.</param>
    /// <param name="detail">From the grain.</param>
    /// <param name="invalid">The kind of problem that an invalid description is.</param>
    /// <param name="errors">What is wrong with a schema.</param>
    /// <param name="checks">The checklist of the step that was refused.</param>
    public static IResult From(HttpContext http, CatalogRefusal refusal, LocalText? detail, ProblemType invalid, IReadOnlyList<ContractProblem>? errors = null, IReadOnlyList<ReleaseCheck>? checks = null)
    {
        detail ??= s_none;
        var language = Language.Of(http);
        var members = errors is { Count: > 0 }
            ? errors.Select(e => new ContractErrorJson(e.Field, e.Code, e.Detail.In(language))).ToArray()
            : null;
        return refusal switch
        {
            CatalogRefusal.Forbidden => Authentication.Forbidden(http, detail),
            CatalogRefusal.NotFound => Problems.Problem(http, ProblemTypes.NotFound, detail),
            CatalogRefusal.Invalid => Problems.Problem(http, members is null ? invalid : ProblemTypes.InvalidContract, detail, ("errors", members)),
            CatalogRefusal.Conflict when checks is { Count: > 0 } => Problems.Problem(http, ProblemTypes.Conflict, detail, ("checklist", checks.Select(check => ReleaseCheckJson.Of(check, language)).ToArray())),
            CatalogRefusal.Conflict => Problems.Problem(http, members is null ? ProblemTypes.Conflict : ProblemTypes.IncompatibleContract, detail, ("errors", members)),
            CatalogRefusal.TooMany => Problems.Problem(http, ProblemTypes.LimitReached, detail),
            CatalogRefusal.Unavailable => Problems.Later(http, ProblemTypes.Unavailable, detail, TimeSpan.FromSeconds(1)),
            _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "no refusal"),
        };
    }
}

/// <summary>One thing that is wrong with a schema, as it is answered.</summary>
internal sealed record ContractErrorJson(string? Field, string Code, string Detail);
