using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace DataHub;

/// <summary>Reads the forms of the hub's own pages.</summary>
internal static class FormBody
{
    /// <summary>Of a form, in bytes and in fields: a sent form is small.</summary>
    public const int MaxBytes = 65_536, MaxFields = 50;

    private static readonly FormOptions s_limits = new() { ValueCountLimit = MaxFields, KeyLengthLimit = 100, ValueLengthLimit = 10_000, BufferBody = false };

    /// <summary>The fields that a browser has sent.</summary>
    /// <returns>The fields, or the problem to answer with.</returns>
    public static async Task<(IFormCollection? Form, IResult? Problem)> ReadFieldsAsync(this HttpContext http)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || !type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
            return (null, Problems.Problem(http, ProblemTypes.UnsupportedType, new("Hier wird ein Formular erwartet (application/x-www-form-urlencoded).", "A form is expected here (application/x-www-form-urlencoded).")));
        if (http.Request.ContentLength > MaxBytes) return (null, Requests.TooLarge(http, MaxBytes));
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxBytes;
        try
        {
            return (await http.Request.ReadFormAsync(s_limits, http.RequestAborted), null);
        }
        catch (InvalidDataException)
        {
            return (null, Problems.Problem(http, ProblemTypes.BadRequest, new($"Ein Formular hat hier höchstens {MaxFields} Felder.", $"A form has at most {MaxFields} fields here.")));
        }
    }
}
