namespace DataHub.Pipelines;

/// <summary>A file of the store on the silo's own disk, for formats that have to be read at any place. It has no name there: it is gone with its handle, also where the silo is killed.</summary>
internal static class SpooledFile
{
    /// <returns>The whole content, at its beginning.</returns>
    /// <exception cref="StepException">There is no such file any more.</exception>
    public static async Task<FileStream> OpenAsync(IFileStore files, string name, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Path.GetTempPath(), $"datahub-file-{Guid.NewGuid():N}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, BufferSize = 1 << 16, Options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        try
        {
            // An open file stays readable without its name.
            if (!OperatingSystem.IsWindows()) File.Delete(path);
            await using (var pieces = new PieceStream(files, name)) await pieces.CopyToAsync(file, 1 << 16, cancellationToken);
            if (file.Length == 0) throw new StepException(new("Die Datei ist nicht mehr da.", "The file is not there any more."));
            file.Position = 0;
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }
}
